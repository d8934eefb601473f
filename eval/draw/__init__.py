"""Drawn pictures with exact alpha: logos, signatures, chains, labels, cartoons and others."""
