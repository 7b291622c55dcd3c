# Registers QEMU for arm64 on this machine for as long as another tool needs it, and takes it away again.
# Only benchmarks of other builders need that. Source it; root only.

BINFMT_DIR=/proc/sys/fs/binfmt_misc
BINFMT_NAME=drydock-bench-aarch64
binfmt_mounted=

# ELF, 64 bit, little endian, machine 183 (AArch64), executable or shared object. Flag P keeps
# argv[0], without which busybox does not know what it is asked for; F holds the emulator open for containers.
binfmt_register() {
  [[ $(uname -m) != aarch64 ]] || return 0
  if [[ ! -e $BINFMT_DIR/register ]]; then
    mount -t binfmt_misc binfmt_misc "$BINFMT_DIR"
    binfmt_mounted=yes
  fi
  ! grep -qs aarch64 "$BINFMT_DIR"/*aarch64* || return 0
  printf '%s' ":$BINFMT_NAME:M::"'\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$(command -v qemu-aarch64-static)"':PF' \
    >"$BINFMT_DIR/register"
}

binfmt_unregister() {
  if [[ -e $BINFMT_DIR/$BINFMT_NAME ]]; then echo -1 >"$BINFMT_DIR/$BINFMT_NAME"; fi
  if [[ -n $binfmt_mounted ]]; then
    umount "$BINFMT_DIR"
    binfmt_mounted=
  fi
}
