"""What TensorBoard shows of a training, and the server that shows it."""
