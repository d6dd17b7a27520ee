"""What a training run tells: figures, pictures and the graph of layers, in a folder and in the terminal."""
