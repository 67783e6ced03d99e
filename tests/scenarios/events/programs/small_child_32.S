# A static 32-bit program without libc: writes a line and ends with 9.
        .code32
        .globl  _start
        .section .note.GNU-stack, "", @progbits
        .text
_start:
        movl    $4, %eax
        movl    $1, %ebx
        movl    $text, %ecx
        movl    $text_end - text, %edx
        int     $0x80
        movl    $1, %eax
        movl    $9, %ebx
        int     $0x80
        .section .rodata
text:
        .ascii  "32 bits\n"
text_end:
