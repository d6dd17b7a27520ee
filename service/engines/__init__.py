"""What computes: one module per numerical library, all behind the seam of base.py."""
