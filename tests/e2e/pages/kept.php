<?php

require __DIR__ . '/common.php';

// Ids of earlier requests, of this worker or another one.
$file = sys_get_temp_dir() . '/ids-' . getmyuid() . '-' . getmypid();
foreach (is_file($file) ? file($file, FILE_IGNORE_NEW_LINES) : [] as $id) {
	if (opa_add_tag($id, 'foreign', MARKER) || opa_set_name($id, 'taken over') || opa_end_span($id)) {
		http_response_code(599);
	}
}
$id = span('kept');
file_put_contents($file, opa_root_span() . "\n$id\n");
opa_start_span('child of an earlier span', ['m' => MARKER], 'abcdefabcdefabcd');
echo 'kept';
