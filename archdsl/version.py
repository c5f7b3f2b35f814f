"""The version of archdsl."""

VERSION = "0.1.0"
