<?php

declare(strict_types=1);

namespace Opa\Tests;

/**
 * Apache with mod_php (prefork), in a directory and on a port of its own. Nothing of the machine's own
 * configuration is read. stop() leaves nothing behind, no opa-exporter either.
 */
final class Apache
{
	private const BINARY = '/usr/sbin/apache2';
	private const MODULES = '/usr/lib/apache2/modules';

	public readonly string $directory;
	public readonly int $port;
	public readonly StoreView $store;
	/** Directives of virtual hosts, by server name. @var array<string, list<string>> */
	public array $hosts = [];
	private ?Daemon $process = null;

	public function __construct()
	{
		$this->directory = sys_get_temp_dir() . '/opa-e2e-' . bin2hex(random_bytes(6));
		$this->port = Site::freePort();
		foreach (['', '/modules', '/pages', '/tmp'] as $folder) {
			mkdir($this->directory . $folder);
			chmod($this->directory . $folder, $folder === '/tmp' ? 01777 : 0755);
		}
		foreach (['opa.so', 'opa-exporter'] as $file) {
			copy(Site::builtModules() . "/$file", "$this->directory/modules/$file");
			chmod("$this->directory/modules/$file", 0755);
		}
		foreach (glob(dirname(__DIR__) . '/pages/*.php') as $page) {
			copy($page, "$this->directory/pages/" . basename($page));
			chmod("$this->directory/pages/" . basename($page), 0644);
		}
		$this->store = new StoreView("$this->directory/tmp/store/traces.db");
	}

	/** Apache's module of the PHP in use; null when there is none. */
	public static function module(): ?string
	{
		$module = self::MODULES . '/libphp' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . '.so';
		return is_file($module) && is_executable(self::BINARY) ? $module : null;
	}

	public function start(): void
	{
		file_put_contents("$this->directory/php.ini", $this->phpIni());
		file_put_contents("$this->directory/httpd.conf", implode("\n", $this->directives()) . "\n");
		// A session of its own: at its end Apache sends the signal to its whole process group.
		$this->process = new Daemon(['setsid', self::BINARY, '-f', "$this->directory/httpd.conf", '-DFOREGROUND'],
			['PATH' => '/usr/bin:/bin', 'PHP_INI_SCAN_DIR' => "$this->directory/conf.d"], "$this->directory/out");
		for ($i = 0; $i < 1000; $i++) {
			$socket = @stream_socket_client("tcp://127.0.0.1:$this->port", $code, $message, 1);
			if ($socket !== false) {
				fclose($socket);
				return;
			}
			if (!$this->process->isRunning()) {
				break;
			}
			usleep(10_000);
		}
		throw new \RuntimeException('Apache does not come up: ' . $this->process->words() . $this->log());
	}

	public function url(string $page, string $query): string
	{
		return "http://127.0.0.1:$this->port/$page.php?$query";
	}

	/** Children finish what they do, and new ones take over. */
	public function restartGracefully(): void
	{
		$this->process->signal(SIGUSR1);
	}

	public function log(): string
	{
		return (string) @file_get_contents("$this->directory/error.log");
	}

	public function stop(): void
	{
		$this->process?->stop();
		$this->process = null;
		Site::remove($this->directory);
		// An exporter whose spool is gone leaves by itself.
		for ($i = 0; $i < 1000 && Processes::exporters($this->directory) !== []; $i++) {
			usleep(10_000);
		}
	}

	/** @return list<string> */
	private function directives(): array
	{
		$lines = ["ServerRoot \"$this->directory\"", "PidFile \"$this->directory/pid\"", 'ServerName localhost',
			"Listen 127.0.0.1:$this->port", "ErrorLog \"$this->directory/error.log\"", 'User www-data', 'Group www-data',
			"PHPINIDir \"$this->directory\"", "DefaultRuntimeDir \"$this->directory\"", 'Mutex posixsem'];
		foreach (['mpm_prefork', 'authz_core', 'dir', 'mime'] as $name) {
			$lines[] = "LoadModule {$name}_module " . self::MODULES . "/mod_$name.so";
		}
		array_push($lines, 'LoadModule php_module ' . self::module(), 'TypesConfig /dev/null', 'StartServers 3',
			'MinSpareServers 1', 'MaxSpareServers 4', 'MaxRequestWorkers 6', 'MaxConnectionsPerChild 50',
			"DocumentRoot \"$this->directory/pages\"", '<FilesMatch "\.php$">', 'SetHandler application/x-httpd-php',
			'</FilesMatch>', "<Directory \"$this->directory/pages\">", 'Require all granted', '</Directory>');
		foreach ($this->hosts as $name => $directives) {
			array_push($lines, "<VirtualHost 127.0.0.1:$this->port>", "ServerName $name",
				"DocumentRoot \"$this->directory/pages\"", ...[...$directives, '</VirtualHost>']);
		}
		return $lines;
	}

	private function phpIni(): string
	{
		return implode("\n", ['extension_dir=' . PHP_EXTENSION_DIR, 'extension=posix.so',
			"extension=$this->directory/modules/opa.so", 'display_errors=0', 'log_errors=1', "error_log=$this->directory/tmp/php.log",
			"opa.spool_dir=$this->directory/tmp/spool", "opa.store_path=$this->directory/tmp/store", '']);
	}
}
