"""What linear prediction is computed with: sums of products, their equations, and the predicted frame."""
