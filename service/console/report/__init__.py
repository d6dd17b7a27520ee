"""What training found out about a version, as its page shows it: from its card, and from its report's folder.

card.json ─┬─ metrics, checks, bars, spread ─┐
report.json ─ stories ───────────────────────┼─ document ─▶ report.html
*.png ─ pictures ────────────────────────────┘
"""
