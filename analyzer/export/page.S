/* The page without data, as scripts/build_page makes it from html/. */
  .section .rodata
  .globl kSeepPageBegin, kSeepPageEnd
kSeepPageBegin:
  .incbin "analyzer/export/html/built/page.html"
kSeepPageEnd:
  .section .note.GNU-stack, "", %progbits
