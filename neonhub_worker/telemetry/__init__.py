"""What do we log? One shape; never anything personal or secret."""
