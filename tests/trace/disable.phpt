--TEST--
While tracing is off none is started, and what was started ends when it is told to
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/disable.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$job = opa_start_trace('job');
opa_start_span('inner');
opa_disable();
show('off', opa_start_trace('off'), opa_traceparent(), opa_root_span(), opa_end_trace('0000000000000000'));
show('end', opa_end_trace($job), opa_end_trace($job), opa_is_enabled());
$not = ['traceparent' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'];
opa_enable();
show('on', opa_current_span() === opa_root_span());
opa_start_trace('not wanted', [], $not);
opa_disable();
opa_end_trace('0000000000000000');
opa_enable();
show('on again', opa_end_span(opa_start_span('s')));
show('spans', array_column(opa_test_spans(), 'name'));
touch(opa_test_spool() . '/off');
for ($end = hrtime(true) + 20e9; ($job = opa_start_trace('looks')) !== '0000000000000000' && hrtime(true) < $end; usleep(10000)) {
	opa_end_trace($job);
}
show('the file off', opa_start_trace('off by file'));
$run = opa_test_run('<?php echo opa_start_trace("s"), " ", json_encode(opa_end_trace("0000000000000000"));', ['ini' => ['opa.enabled' => '0']]);
show('disabled', $run['out'], count($run['spans']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
off "0000000000000000" null "0000000000000000" false
end true false false
on true
on again true
spans ["job","inner","s"]
the file off "0000000000000000"
disabled "0000000000000000 false" 0
