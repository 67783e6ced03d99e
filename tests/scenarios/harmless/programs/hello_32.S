// The same for 32 bits, without libc: write(1, "hello\n", 6), exit(5).
    .text
    .globl _start
_start:
    movl $4, %eax
    movl $1, %ebx
    movl $text, %ecx
    movl $6, %edx
    int $0x80
    movl $1, %eax
    movl $5, %ebx
    int $0x80
    .section .rodata
text:
    .ascii "hello\n"
    .section .note.GNU-stack, "", @progbits
