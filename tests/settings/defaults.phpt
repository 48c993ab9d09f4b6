--TEST--
Every setting has its default
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/defaults.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php foreach (ini_get_all("opa", false) as $name => $value) { echo $name, "=", $value, "\n"; }');
echo preg_replace(['~^(opa.spool_dir=).*~m', '~^(opa.redact=).*~m'], ['$1...', '$1...'], $run['out']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
opa.batch_size=512K
opa.ca_file=
opa.cert_file=
opa.cli_args=0
opa.compression=gzip
opa.enabled=1
opa.endpoint=
opa.exporter_path=/nonexistent/opa-exporter
opa.headers=
opa.keep_errors=0
opa.keep_slow=0
opa.key_file=
opa.linger=1s
opa.log_level=warning
opa.max_attributes=128
opa.max_events=128
opa.max_links=128
opa.max_trace_size=32M
opa.max_value_length=16K
opa.propagators=tracecontext,baggage
opa.proxy=
opa.rate_limit=0
opa.redact=...
opa.resource_attributes=
opa.response_header=0
opa.sample_rate=1
opa.sample_rules=
opa.service_name=
opa.shutdown_timeout=5s
opa.spool_dir=...
opa.spool_max_size=0
opa.store_group=
opa.store_max_age=7d
opa.store_max_size=1G
opa.store_path=
opa.timeout=10s
opa.trace_cli=1
opa.trace_rotate=60s
opa.trust_incoming=1
opa.trust_proxy=0
