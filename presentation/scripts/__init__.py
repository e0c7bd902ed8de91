"""``pretrain`` and ``disttrain``, as documented."""
