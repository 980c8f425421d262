"""What a key press keeps."""
