"""Pictures of convolutions and of what is learned, drawn with matplotlib."""
