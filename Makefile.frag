# opa-exporter, the process that takes finished traces from the spool, and the viewer. The exporter
# lies beside opa.so, which finds it there: before `make install` and after it.

opa_exporter = $(phplibdir)/opa-exporter
# Below .libs, which `make clean` removes whole.
opa_exporter_objects = $(OPA_EXPORTER_SOURCES:%.c=$(builddir)/.libs/exporter/%.o)
opa_exporter_cflags = $(CPPFLAGS) $(CFLAGS_CLEAN) $(EXTRA_CFLAGS) $(OPA_CFLAGS) $(OPA_EXPORTER_CFLAGS)
opa_datadir = $(prefix)/share/opa
opa_bindir = $(prefix)/bin

all: $(opa_exporter)
build-modules: $(opa_exporter)
test: $(opa_exporter)
# The tests find them by these, and what run-tests itself runs leaves nothing in the user's store.
opa_tested = $(abspath $(builddir))/.libs/test
test: export OPA_EXPORTER = $(abspath $(opa_exporter))
test: export OPA_EXTENSION = $(abspath $(phplibdir)/opa.so)
test: export XDG_RUNTIME_DIR = $(opa_tested)/run
test: export XDG_STATE_HOME = $(opa_tested)/state
test: $(opa_tested)
$(opa_tested):
	@$(mkinstalldirs) $@/run $@/state
install: install-opa-viewer

$(opa_exporter): $(opa_exporter_objects)
	$(CC) $(CFLAGS_CLEAN) $(EXTRA_CFLAGS) $(LDFLAGS) -o $@ $(opa_exporter_objects) $(OPA_EXPORTER_LIBS)

$(builddir)/.libs/exporter/%.o: $(srcdir)/%.c
	@mkdir -p $(@D)
	$(CC) $(opa_exporter_cflags) -MMD -MP -MF $(@:.o=.dep) -c $< -o $@

-include $(opa_exporter_objects:.o=.dep)

install-opa-viewer:
	@echo "Installing the viewer:            $(INSTALL_ROOT)$(opa_bindir)/opa"
	@$(INSTALL) -d -m 755 $(INSTALL_ROOT)$(opa_bindir) $(INSTALL_ROOT)$(opa_datadir)
	@$(INSTALL) -m 755 $(srcdir)/bin/opa $(INSTALL_ROOT)$(opa_bindir)/opa
	@(cd $(srcdir)/viewer && find . -type d -print) | while read d; do \
		$(INSTALL) -d -m 755 $(INSTALL_ROOT)$(opa_datadir)/$$d || exit 1; \
	done
	@(cd $(srcdir)/viewer && find . -type f -print) | while read f; do \
		$(INSTALL_DATA) $(srcdir)/viewer/$$f $(INSTALL_ROOT)$(opa_datadir)/$$f || exit 1; \
	done

.PHONY: install-opa-viewer
