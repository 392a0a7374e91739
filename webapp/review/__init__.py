"""The experts' pages: an app of its own that knows blind codes and no vault."""
