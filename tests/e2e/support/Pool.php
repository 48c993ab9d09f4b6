<?php

declare(strict_types=1);

namespace Opa\Tests;

/** A pool of PHP-FPM and the nginx server in front of it. Filled in before the site starts. */
final class Pool
{
	/** @var array<string, string> opa.* settings, as php_admin_value */
	public array $settings = [];
	/** @var array<string, string> variables of its workers */
	public array $env = [];
	/** @var array<string, string> directives of the pool */
	public array $directives = ['pm' => 'static', 'pm.max_children' => '1'];
	public string $spool;
	public string $store;
	public string $socket;
	public int $port = 0;
	/** Where FPM finds the pages; null: where nginx does. */
	public ?string $root = null;

	public function __construct(public readonly string $name, public string $user = 'www-data')
	{
	}

	public function url(string $page, string $query = ''): string
	{
		return "http://127.0.0.1:$this->port/$page.php" . ($query === '' ? '' : "?$query");
	}

	/** @return list<string> the directives' lines */
	public function lines(string $tmp): array
	{
		$all = ['listen' => $this->socket, 'listen.mode' => '0666', 'env[TMPDIR]' => $tmp,
			'catch_workers_output' => 'yes'] + $this->directives;
		if (posix_geteuid() === 0) {
			$all += ['user' => $this->user];
		}
		foreach ($this->env as $name => $value) {
			$all["env[$name]"] = "\"$value\"";
		}
		$settings = $this->settings + ['opa.spool_dir' => $this->spool, 'opa.store_path' => $this->store];
		foreach (array_filter($settings, 'strlen') as $name => $value) {
			$all["php_admin_value[$name]"] = "\"$value\"";
		}
		return array_map(static fn (string $k, string $v): string => "$k = $v", array_keys($all), $all);
	}

	public function store(): StoreView
	{
		return new StoreView($this->store);
	}

	/** Journals that lie in the spool, in whatever state. */
	public function journals(): int
	{
		return count(glob("$this->spool/live/*.j") ?: []) + count(glob("$this->spool/sealed/*.j") ?: []);
	}

	/** @return array<string, string> what the exporter has said */
	public function state(): array
	{
		$pairs = [];
		foreach (@file("$this->spool/state", FILE_IGNORE_NEW_LINES) ?: [] as $line) {
			[$key, $value] = explode('=', $line, 2) + ['', ''];
			$pairs[$key] = $value;
		}
		return $pairs;
	}
}
