<?php

require __DIR__ . '/common.php';

final class Closing
{
	public ?self $other = null;
	private string $id;

	public function __construct()
	{
		$this->id = span('object');
	}

	public function __destruct()
	{
		opa_add_tag($this->id, 'destroyed', true);
		opa_end_span($this->id);
		opa_end_span(span('in the destructor'));
	}
}

$kept = new Closing();
$circle = new Closing();
$circle->other = $circle;
unset($circle);
echo 'destructor';
