"""The JSON bodies and the form of the contract. The same schemas document, load and dump them."""
