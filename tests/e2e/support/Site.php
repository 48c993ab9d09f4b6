<?php

declare(strict_types=1);

namespace Opa\Tests;

/**
 * nginx in front of PHP-FPM, in a directory and on ports of its own. Nothing of the machine's own
 * configuration is read. stop() leaves nothing behind, no opa-exporter either.
 */
final class Site
{
	public readonly string $directory;
	public readonly string $modules;
	/** Settings of php.ini, name => value. */
	public array $ini = [];
	/** Variables of FPM's master. */
	public array $env = [];
	/** Directives of [global]. */
	public array $global = [];
	/** In front of FPM's command, say unshare. */
	public array $wrapper = [];
	/** More addresses for each pool's server: an IPv6 one. */
	public bool $ipv6 = false;
	/** FPM goes to the background by itself: its modules start in a process that then ends. */
	public bool $daemonize = false;
	public ?Daemon $fpm = null;
	private ?Daemon $nginx = null;
	private readonly int $owner;
	/** @var list<string> what stop() removes beside the directory */
	private array $elsewhere = [];
	/** @var array<string, Pool> */
	public array $pools = [];

	public function __construct(Pool ...$pools)
	{
		$from = self::builtModules();
		if (!is_file("$from/opa.so") || !is_file("$from/opa-exporter")) {
			throw new \RuntimeException("no opa.so and opa-exporter in $from: ./dev build, or OPA_MODULES");
		}
		$this->directory = self::base() . '/opa-e2e-' . bin2hex(random_bytes(6));
		$this->modules = "$this->directory/modules";
		$this->owner = getmypid();
		foreach (['', '/modules', '/tmp', '/nginx'] as $folder) {
			mkdir($this->directory . $folder);
			chmod($this->directory . $folder, 0755);
		}
		chmod("$this->directory/tmp", 01777);
		foreach (['opa.so', 'opa-exporter'] as $file) {
			copy("$from/$file", "$this->modules/$file");
			chmod("$this->modules/$file", 0755);
		}
		foreach ($pools as $pool) {
			$home = "$this->directory/$pool->name";
			mkdir($home);
			if (posix_geteuid() === 0) {
				chown($home, $pool->user);
			}
			$pool->spool = "$home/spool";
			$pool->store = "$home/traces.db";
			$pool->socket = "$home.sock";
			$this->pools[$pool->name] = $pool;
		}
		register_shutdown_function($this->stop(...));
	}

	/** Where other users may go, and programs may be run. */
	private static function base(): string
	{
		foreach ([sys_get_temp_dir(), '/var/tmp', '/dev/shm'] as $path) {
			if (is_writable($path) && (fileperms($path) & 0001) !== 0) {
				return $path;
			}
		}
		throw new \RuntimeException('no directory for temporary files that all users may enter');
	}

	/** Where opa.so and opa-exporter are: OPA_MODULES, or what ./dev build has built. */
	public static function builtModules(): string
	{
		$built = getenv('OPA_MODULES') ?: (getenv('OPA_BUILD') ? getenv('OPA_BUILD') . '/modules' : '');
		return $built !== '' ? $built : dirname(__DIR__, 3) . '/build/normal/src/modules';
	}

	/** The FPM that belongs to the PHP in use. */
	public static function fpmBinary(): ?string
	{
		$version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
		foreach ([(string) getenv('OPA_FPM'), dirname(PHP_BINDIR) . '/sbin/php-fpm',
			"/usr/sbin/php-fpm$version"] as $path) {
			if ($path !== '' && is_executable($path)) {
				return $path;
			}
		}
		return null;
	}

	public static function nginxBinary(): ?string
	{
		foreach (['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'] as $path) {
			if (is_executable($path)) {
				return $path;
			}
		}
		return null;
	}

	public function start(): void
	{
		$this->copyPages(dirname(__DIR__) . '/pages');
		foreach ($this->pools as $pool) {
			$pool->port = $pool->port ?: self::freePort();
		}
		$this->startFpm();
		file_put_contents("$this->directory/nginx.conf", $this->nginxConfig());
		$this->nginx = new Daemon([self::nginxBinary(), '-c', "$this->directory/nginx.conf",
			'-p', $this->directory, '-e', "$this->directory/nginx.log"], ['PATH' => '/usr/bin:/bin'],
			"$this->directory/nginx.out");
		foreach ($this->pools as $pool) {
			$this->awaitConnection("tcp://127.0.0.1:$pool->port", $this->nginx);
		}
	}

	public function startFpm(): void
	{
		file_put_contents("$this->directory/php.ini", $this->phpIni());
		file_put_contents("$this->directory/fpm.conf", $this->fpmConfig());
		$mode = $this->daemonize ? '--daemonize' : '--nodaemonize';
		$this->fpm = new Daemon([...$this->wrapper, self::fpmBinary(), $mode, '-c',
			"$this->directory/php.ini", '-y', "$this->directory/fpm.conf"], $this->environment(),
			"$this->directory/fpm.out");
		foreach ($this->pools as $pool) {
			$this->awaitConnection("unix://$pool->socket", $this->fpm);
		}
	}

	/** On tmpfs, where control files are mapped. */
	public function moveSpoolIntoMemory(Pool $pool): void
	{
		$home = '/dev/shm/' . basename($this->directory) . "-$pool->name";
		mkdir($home, 0755);
		if (posix_geteuid() === 0) {
			chown($home, $pool->user);
		}
		$pool->spool = "$home/spool";
		$this->elsewhere[] = $home;
	}

	/** The master, also when it is not our child. */
	public function fpmPid(): int
	{
		$pid = $this->fpm?->pid ?? 0;
		if ($this->daemonize) {
			$pid = (int) @file_get_contents("$this->directory/fpm.pid");
		} elseif ($this->wrapper !== []) {
			$pid = Processes::children($pid)[0] ?? 0;
		}
		return $pid > 1 ? $pid : throw new \RuntimeException('FPM does not run');
	}

	/** @return list<int> all workers of all pools */
	public function workers(): array
	{
		return Processes::children($this->fpmPid());
	}

	public function fpmLog(): string
	{
		return (string) @file_get_contents("$this->directory/fpm.log");
	}

	/** What PHP itself had to say, in workers. */
	public function phpLog(): string
	{
		return (string) @file_get_contents("$this->directory/tmp/php.log");
	}

	/** Ends everything and removes the directory. Throws when an exporter stays. */
	public function stop(): void
	{
		if (!is_dir($this->directory) || getmypid() !== $this->owner) {
			return;
		}
		try {
			$this->nginx?->stop();
			$this->stopFpm();
		} finally {
			if (getenv('OPA_KEEP')) {
				passthru("cp -r $this->directory " . getenv('OPA_KEEP'));
			}
			array_map(self::remove(...), [$this->directory, ...$this->elsewhere]);
		}
		// An exporter whose spool is gone leaves by itself.
		for ($i = 0; $i < 1000 && Processes::exporters($this->directory) !== []; $i++) {
			usleep(10_000);
		}
		$left = Processes::exporters($this->directory);
		array_map(static fn (int $pid): bool => posix_kill($pid, SIGKILL), $left);
		if ($left !== []) {
			throw new \RuntimeException('opa-exporter ' . implode(', ', $left) . ' outlives its spool');
		}
	}

	public function stopFpm(int $signal = SIGTERM): void
	{
		// In the background, or the child of a program that does not pass signals on.
		$isOurChild = !$this->daemonize && $this->wrapper === [];
		if (!$isOurChild && $this->fpm !== null && $this->isFpmRunning()) {
			$pid = $this->fpmPid();
			posix_kill($pid, $signal);
			for ($i = 0; $i < 2000 && !in_array(Processes::state($pid), ['', 'Z'], true); $i++) {
				usleep(10_000);
			}
		}
		$this->fpm?->stop($signal);
	}

	private function isFpmRunning(): bool
	{
		return $this->daemonize ? is_file("$this->directory/fpm.pid") : $this->fpm->isRunning();
	}

	public static function remove(string $path): void
	{
		if (is_dir($path) && !is_link($path)) {
			// Others may be writing there still.
			for ($i = 0; $i < 50 && is_dir($path); $i++) {
				foreach (array_diff(@scandir($path) ?: [], ['.', '..']) as $name) {
					self::remove("$path/$name");
				}
				@rmdir($path);
			}
		} else {
			@unlink($path);
		}
	}

	public static function freePort(string $host = '127.0.0.1'): int
	{
		$socket = stream_socket_server("tcp://$host:0");
		$name = stream_socket_get_name($socket, false);
		fclose($socket);
		return (int) substr($name, strrpos($name, ':') + 1);
	}

	private function awaitConnection(string $address, Daemon $server): void
	{
		for ($i = 0; $i < 1500; $i++) {
			$socket = @stream_socket_client($address);
			if ($socket !== false) {
				fclose($socket);
				return;
			}
			if (!$server->isRunning() && !($this->daemonize && $server === $this->fpm)) {
				break;
			}
			usleep(10_000);
		}
		throw new \RuntimeException("no server at $address: " . $server->words() . $this->fpmLog());
	}

	/** @return array<string, string> */
	private function environment(): array
	{
		$env = ['PATH' => '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 
			'PHP_INI_SCAN_DIR' => "$this->directory/conf.d"];
		// Modules that were built with a sanitizer need its runtime in the process from the start.
		if (getenv('OPA_PRELOAD')) {
			$env['LD_PRELOAD'] = getenv('OPA_PRELOAD');
			$env += ['USE_ZEND_ALLOC' => '0', 'USE_TRACKED_ALLOC' => '1', 'ZEND_DONT_UNLOAD_MODULES' => '1',
				'UBSAN_OPTIONS' => 'print_stacktrace=1',
				'ASAN_OPTIONS' => 'verify_asan_link_order=0:detect_leaks=0:disable_coredump=1:'
					. "log_path=$this->directory/tmp/asan"];
		}
		return $this->env + $env;
	}

	private function phpIni(): string
	{
		$directory = PHP_EXTENSION_DIR;
		$lines = ["extension_dir=$directory"];
		foreach (['zend_extension' => ['opcache'], 'extension' => ['posix', 'pdo', 'pdo_sqlite', 'ffi']] as $key => $names) {
			foreach ($names as $name) {
				if (is_file("$directory/$name.so")) {
					$lines[] = "$key=$name.so";
				}
			}
		}
		$lines[] = "extension=$this->modules/opa.so";
		$all = $this->ini + ['display_errors' => '0', 'log_errors' => '1', 'opcache.enable' => '1', 'ffi.enable' => '1',
			'error_log' => "$this->directory/tmp/php.log", 'opcache.validate_timestamps' => '0'];
		foreach ($all as $name => $value) {
			$lines[] = "$name=\"$value\"";
		}
		return implode("\n", $lines) . "\n";
	}

	private function fpmConfig(): string
	{
		$lines = ['[global]'];
		foreach ($this->global + ['error_log' => "$this->directory/fpm.log", 'log_level' => 'notice',
			'pid' => "$this->directory/fpm.pid"] as $k => $v) {
			$lines[] = "$k = $v";
		}
		foreach ($this->pools as $pool) {
			$lines = [...$lines, "[$pool->name]", ...$pool->lines("$this->directory/tmp")];
		}
		return implode("\n", $lines) . "\n";
	}

	private function nginxConfig(): string
	{
		$pages = $this->pages();
		$servers = '';
		foreach ($this->pools as $pool) {
			$root = rtrim($pool->root ?? $pages, '/');
			$more = $this->ipv6 ? "listen [::1]:$pool->port;" : '';
			$servers .= <<<END
				server {
					listen 127.0.0.1:$pool->port; $more
					server_name localhost;
					root $pages;
					location / {
						include /etc/nginx/fastcgi_params;
						fastcgi_param SCRIPT_FILENAME $root\$fastcgi_script_name;
						fastcgi_pass unix:$pool->socket;
					}
				}

				END;
		}
		$paths = '';
		foreach (['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'] as $kind) {
			$paths .= "{$kind}_temp_path $this->directory/nginx/$kind;\n";
		}
		$user = posix_geteuid() === 0 ? 'user www-data;' : '';
		return <<<END
			$user
			daemon off;
			worker_processes 1;
			pid $this->directory/nginx/pid;
			error_log $this->directory/nginx.log;
			events { worker_connections 2048; }
			http {
				access_log off;
				keepalive_requests 100000;
				$paths
				$servers
			}
			END;
	}

	/** Where the pages are, once it has started. */
	public function pages(): string
	{
		return "$this->directory/pages";
	}

	/** The checkout may lie where the pools' users cannot read. */
	private function copyPages(string $from): void
	{
		$to = $this->pages();
		if (!is_dir($to)) {
			mkdir($to, 0755);
			chmod($to, 0755);
			foreach (glob("$from/*.php") as $page) {
				copy($page, "$to/" . basename($page));
				chmod("$to/" . basename($page), 0644);
			}
		}
	}
}
