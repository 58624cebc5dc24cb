"""Where was a defect born? Likelihoods of what the cameras saw, and what is learnt about the cameras."""
