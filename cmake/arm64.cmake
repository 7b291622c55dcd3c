# Cross build for arm64 with Debian's g++-aarch64-linux-gnu, against the arm64 packages that
# tests/support/arm64-sysroot unpacks into build/arm64-sysroot (or DRYDOCK_SYSROOT), or against multi-arch packages
# of this machine where there is no such folder. Tests run in QEMU.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

if(NOT DRYDOCK_SYSROOT)
  set(DRYDOCK_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/arm64-sysroot)
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DRYDOCK_SYSROOT)
get_filename_component(DRYDOCK_SYSROOT ${DRYDOCK_SYSROOT} ABSOLUTE)

if(EXISTS ${DRYDOCK_SYSROOT}/packages)
  set(CMAKE_SYSROOT ${DRYDOCK_SYSROOT})
  set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
  set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
  set(ENV{PKG_CONFIG_SYSROOT_DIR} ${DRYDOCK_SYSROOT})
  set(ENV{PKG_CONFIG_LIBDIR} ${DRYDOCK_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${DRYDOCK_SYSROOT}/usr/share/pkgconfig)
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L ${DRYDOCK_SYSROOT})
else()
  set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
endif()
