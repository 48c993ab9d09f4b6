<?php

require __DIR__ . '/common.php';

for ($i = 0; $i < 3; $i++) {
	$id = span('step');
	opa_add_tag($id, 'i', $i);
	opa_end_span($id);
}
echo 'plain';
