<?php

require __DIR__ . '/common.php';

for ($i = 0; $i < 1000; $i++) {
	opa_end_span(span('one of many', ['i' => $i]));
}
echo 'thousand';
