<?php

// For opcache.preload: it is run once, when the server starts, and what it declares is there in every
// request. The page preloaded.php uses it.

if (!defined('MARKER')) {
	opa_end_span(opa_start_span('while it is preloaded'));
}

abstract class PreloadedBase
{
	public function run(string $name): string
	{
		return opa_trace($name, fn (string $id): string => $this->work($id), ['m' => MARKER]);
	}

	abstract protected function work(string $id): string;
}

final class Preloaded extends PreloadedBase
{
	protected function work(string $id): string
	{
		opa_add_tag($id, 'class', static::class);
		return preloaded_name();
	}
}

function preloaded_name(): string
{
	return 'preloaded';
}
