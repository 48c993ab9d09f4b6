<?php

require __DIR__ . '/common.php';

// The program's error handler calls opa, also in the middle of a call of opa's.
set_error_handler(static function (int $level, string $message): bool {
	$id = span('handler', ['level' => $level, 'message' => $message]);
	opa_add_event((string) opa_current_span(), 'handled');
	opa_end_span($id);
	return true;
});

final class Warns implements Stringable
{
	public function __toString(): string
	{
		trigger_error('from __toString', E_USER_WARNING);
		return 'text' . $undefined;
	}
}

$id = span('work');
trigger_error('from the page');
opa_add_tags($id, ['one' => new Warns(), 'list' => [new Warns()]]);
opa_end_span($id);
echo 'handler';
