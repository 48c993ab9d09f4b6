<?php

require __DIR__ . '/common.php';

$id = span('risky');
try {
	throw new RuntimeException('caught');
} catch (RuntimeException $e) {
	opa_record_exception($id, $e);
	opa_record_exception($id, $e);
}
opa_end_span($id);
echo 'caught';
