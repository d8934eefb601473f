"""The OpenAPI document as one page of HTML, from a template, a style and a script of our own.

It reads the document alone: a new route needs nothing here. The well-known viewers weigh 0.9 to
3.6 MB; the files here have 17 kB. Without its script the page can be read, and not send.
"""
