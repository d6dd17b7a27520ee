"""What rows are drawn from: invented people, plots, pictures and movements. Pure chance and rules, by seed."""
