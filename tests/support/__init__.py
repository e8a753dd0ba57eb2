"""What the tests share. Nothing here knows which runtime serves the drive."""
