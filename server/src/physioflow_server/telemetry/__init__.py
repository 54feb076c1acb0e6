"""What the server says about itself; never about a patient."""
