<?php

require __DIR__ . '/common.php';

final class Leaves implements Stringable
{
	public function __toString(): string
	{
		echo 'tostring_exit';
		exit(1);
	}
}

$id = span('open');
opa_add_tags($id, ['before' => str_repeat('x', 5000), 'list' => [1, new Leaves(), 2]]);
echo 'went on';
