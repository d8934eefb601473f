"""The Python API: `remove` for one picture, `Remover` for many."""
