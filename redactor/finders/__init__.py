"""Each finder looks for one class of identifying marks and says why it found them."""
