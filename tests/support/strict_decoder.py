"""The real decoder, killed by any system call that its filter denies."""

import sys

from bgremove.imaging.decoder import child as decoder_child
from bgremove.sandbox import seccomp

if __name__ == "__main__":
    seccomp.DENY = seccomp.KILL
    decoder_child.main(int(sys.argv[1]))
