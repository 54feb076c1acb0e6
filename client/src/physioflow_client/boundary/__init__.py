"""What happens when our own code fails: the view says so, the rest lives on."""
