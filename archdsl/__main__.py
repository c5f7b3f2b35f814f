"""`python -m archdsl`."""

from archdsl.cli import run

if __name__ == "__main__":
    run()
