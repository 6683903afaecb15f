"""Which listings answer a condition, an order and a slice: values, and flows that read them."""
