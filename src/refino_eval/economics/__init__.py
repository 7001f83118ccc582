"""What programmes cost, what effect repays the difference, and what providers are paid under rules of payment."""
