PHP_ARG_ENABLE([opa],
  [whether to enable opa],
  [AS_HELP_STRING([--disable-opa],
    [Disable request tracing with opa])],
  [yes])

PHP_ARG_ENABLE([opa-bench],
  [whether to add the functions of the benchmark to opa],
  [AS_HELP_STRING([--enable-opa-bench],
    [opa: add the functions that bench/ measures against; not for production])],
  [no],
  [no])

PHP_ARG_ENABLE([opa-strict],
  [whether to compile opa with its developers' warnings as errors],
  [AS_HELP_STRING([--enable-opa-strict],
    [opa: more warnings, each of them an error; for developers])],
  [no],
  [no])

if test "$PHP_OPA" != "no"; then
  dnl When it ends, configure removes what it left behind with one `rm -f core ...`, which fails, and
  dnl leaves the rest behind, where core is a directory.
  rm() {
    case "$*" in
      "-f core "*) shift; shift; command rm -f "$@" ;;
      *) command rm "$@" ;;
    esac
  }

  dnl opa.so links libc alone; SQLite, libcurl and zlib are for opa-exporter, the process that keeps the
  dnl traces or sends them on.
  if test -z "$PKG_CONFIG" || test "$PKG_CONFIG" = "no"; then
    AC_MSG_ERROR([pkg-config is missing. opa needs it to find SQLite, libcurl and zlib:
  Debian, Ubuntu   apt-get install pkg-config libsqlite3-dev libcurl4-openssl-dev zlib1g-dev
  Fedora, RHEL     dnf install pkgconf-pkg-config sqlite-devel libcurl-devel zlib-devel
  Alpine           apk add pkgconf sqlite-dev curl-dev zlib-dev])
  fi
  AC_MSG_CHECKING([for SQLite 3.35 or newer])
  if $PKG_CONFIG --exists "sqlite3 >= 3.35"; then
    OPA_SQLITE_CFLAGS=`$PKG_CONFIG --cflags sqlite3`
    OPA_SQLITE_LIBS=`$PKG_CONFIG --libs sqlite3`
    opa_found=`$PKG_CONFIG --modversion sqlite3`
    AC_MSG_RESULT([$opa_found])
  else
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([SQLite 3.35 or newer with its header files is missing. opa keeps its traces in it:
  Debian, Ubuntu   apt-get install libsqlite3-dev
  Fedora, RHEL     dnf install sqlite-devel
  Alpine           apk add sqlite-dev
  Somewhere else   PKG_CONFIG_PATH=<directory of sqlite3.pc> ./configure])
  fi
  AC_MSG_CHECKING([for libcurl 7.68 or newer])
  if $PKG_CONFIG --exists "libcurl >= 7.68"; then
    OPA_CURL_CFLAGS=`$PKG_CONFIG --cflags libcurl`
    OPA_CURL_LIBS=`$PKG_CONFIG --libs libcurl`
    opa_found=`$PKG_CONFIG --modversion libcurl`
    AC_MSG_RESULT([$opa_found])
  else
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([libcurl 7.68 or newer with its header files is missing. opa-exporter sends traces with it:
  Debian, Ubuntu   apt-get install libcurl4-openssl-dev
  Fedora, RHEL     dnf install libcurl-devel
  Alpine           apk add curl-dev
  Somewhere else   PKG_CONFIG_PATH=<directory of libcurl.pc> ./configure])
  fi
  AC_MSG_CHECKING([for zlib])
  if $PKG_CONFIG --exists zlib; then
    OPA_ZLIB_CFLAGS=`$PKG_CONFIG --cflags zlib`
    OPA_ZLIB_LIBS=`$PKG_CONFIG --libs zlib`
    opa_found=`$PKG_CONFIG --modversion zlib`
    AC_MSG_RESULT([$opa_found])
  else
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([zlib with its header files is missing. opa-exporter packs with it what it sends:
  Debian, Ubuntu   apt-get install zlib1g-dev
  Fedora, RHEL     dnf install zlib-devel
  Alpine           apk add zlib-dev
  Somewhere else   PKG_CONFIG_PATH=<directory of zlib.pc> ./configure])
  fi
  OPA_EXPORTER_CFLAGS="$OPA_SQLITE_CFLAGS $OPA_CURL_CFLAGS $OPA_ZLIB_CFLAGS"
  OPA_EXPORTER_LIBS="$OPA_SQLITE_LIBS $OPA_CURL_LIBS $OPA_ZLIB_LIBS"

  dnl sources.txt is the one list of what is compiled into what.
  opa_ext_dir=PHP_EXT_SRCDIR([opa])
  opa_sources=
  OPA_EXPORTER_SOURCES=
  while read opa_file opa_products; do
    case $opa_file in
      *_win32.c) continue ;;
    esac
    case " $opa_products " in
      *" ext "*) opa_sources="$opa_sources $opa_file" ;;
      *" bench "*) test "$PHP_OPA_BENCH" = "no" || opa_sources="$opa_sources $opa_file" ;;
    esac
    case " $opa_products " in
      *" exporter "*) OPA_EXPORTER_SOURCES="$OPA_EXPORTER_SOURCES $opa_file" ;;
    esac
  done < "$opa_ext_dir/sources.txt"

  OPA_CFLAGS="-std=gnu11 -fvisibility=hidden"
  dnl Where gcc makes one wide load of two fields that were written one by one just before, the
  dnl processor waits until they have reached the cache: 6% of a span's time.
  AC_MSG_CHECKING([whether $CC takes -fno-tree-slp-vectorize])
  opa_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS -Werror -fno-tree-slp-vectorize"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [
    OPA_CFLAGS="$OPA_CFLAGS -fno-tree-slp-vectorize"
    AC_MSG_RESULT([yes])
  ], [
    AC_MSG_RESULT([no])
  ])
  CFLAGS=$opa_saved_cflags
  if test "$PHP_OPA_STRICT" != "no"; then
    OPA_CFLAGS="$OPA_CFLAGS -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes"
    OPA_CFLAGS="$OPA_CFLAGS -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wformat=2 -Werror"
  fi
  opa_ext_cflags="$OPA_CFLAGS -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1"
  dnl PHP's macros make functions without prototypes and with parameters that are not needed; gcc
  dnl knows that they come from a system header, clang does not.
  if test "$PHP_OPA_STRICT" != "no" && $CC --version 2>/dev/null | grep clang >/dev/null; then
    opa_ext_cflags="$opa_ext_cflags -Wno-unused-parameter -Wno-missing-prototypes"
  fi
  if test "$PHP_OPA_BENCH" != "no"; then
    opa_ext_cflags="$opa_ext_cflags -DOPA_BENCH"
  fi

  dnl Other code keeps pointers into opa.so, pthread_atfork(3) for one: once loaded it stays mapped.
  AC_MSG_CHECKING([whether the linker knows -z nodelete])
  opa_ldflags=$LDFLAGS
  LDFLAGS="$LDFLAGS -Wl,-z,nodelete"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [
    AC_MSG_RESULT([yes])
    OPA_SHARED_LIBADD="$OPA_SHARED_LIBADD -Wl,-z,nodelete"
  ], [AC_MSG_RESULT([no])])
  LDFLAGS=$opa_ldflags

  PHP_NEW_EXTENSION([opa], [$opa_sources], [$ext_shared],, [$opa_ext_cflags])
  PHP_ADD_BUILD_DIR([$ext_builddir/core $ext_builddir/export $ext_builddir/instrument $ext_builddir/bench])

  PHP_SUBST([OPA_SHARED_LIBADD])
  PHP_SUBST([OPA_CFLAGS])
  PHP_SUBST([OPA_EXPORTER_SOURCES])
  PHP_SUBST([OPA_EXPORTER_CFLAGS])
  PHP_SUBST([OPA_EXPORTER_LIBS])
  PHP_ADD_MAKEFILE_FRAGMENT
fi
