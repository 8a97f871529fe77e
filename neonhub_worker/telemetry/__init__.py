"""What do we say about a run? One log shape and Flower's events; never anything personal or secret."""
