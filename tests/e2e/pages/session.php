<?php

require __DIR__ . '/common.php';

// Its write() runs when the extension has already heard that the request is over.
final class LateHandler implements SessionHandlerInterface
{
	public string $early = '';

	public function open(string $path, string $name): bool
	{
		return true;
	}

	public function close(): bool
	{
		opa_add_tag((string) opa_root_span(), 'closed', true);
		return true;
	}

	public function read(string $id): string|false
	{
		return '';
	}

	public function write(string $id, string $data): bool
	{
		opa_add_tag($this->early, 'late', 'yes');
		opa_end_span($this->early);
		opa_add_tag($this->early, 'too', 'late');
		$span = span('session write');
		opa_add_event($span, 'written', ['bytes' => strlen($data)]);
		opa_end_span($span);
		return true;
	}

	public function destroy(string $id): bool
	{
		return true;
	}

	public function gc(int $max_lifetime): int|false
	{
		return 0;
	}
}

$handler = new LateHandler();
session_set_save_handler($handler, false);
session_id('e2e');
session_start(['use_cookies' => 0, 'cache_limiter' => '']);
$_SESSION['n'] = MARKER;
$handler->early = span('opened early');
echo 'session';
