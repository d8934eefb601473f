"""Saliency map to alpha matte and foreground: numpy and cv2 only."""
