<?php
require __DIR__ . '/common.php';
// What three calls to other services would send along, each from a span of its own.
$sent = [];
for ($i = 0; $i < 3; $i++) {
	$sent[] = opa_trace('call', static fn (string $span): array => opa_propagation_headers($span));
}
echo json_encode($sent);
