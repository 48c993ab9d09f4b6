<?php

declare(strict_types=1);

namespace Opa\Tests;

/** nginx between opa and a collector, with TLS or without, that notes which protocol it is spoken to in. */
final class Proxy
{
	public readonly int $port;
	private readonly string $directory;
	private ?Daemon $nginx = null;
	private readonly int $owner;

	/**
	 * @param ?string $certificate path of a .pem and a .key; null: no TLS
	 * @param bool $http2 whether TLS offers it
	 * @param int $requests after so many it closes a connection
	 */
	public function __construct(private readonly int $to, private readonly ?string $certificate, private readonly bool $http2,
		private readonly int $requests)
	{
		$this->owner = getmypid();
		$this->directory = sys_get_temp_dir() . '/opa-proxy-' . bin2hex(random_bytes(6));
		mkdir($this->directory, 0755);
		$this->port = Site::freePort();
		register_shutdown_function($this->remove(...));
	}

	public function start(): void
	{
		file_put_contents("$this->directory/nginx.conf", $this->config());
		$this->nginx = new Daemon([Site::nginxBinary(), '-c', "$this->directory/nginx.conf", '-p', $this->directory,
			'-e', "$this->directory/error.log"], ['PATH' => '/usr/bin:/bin'], "$this->directory/out");
		for ($i = 0; $i < 1500 && $this->nginx->isRunning(); $i++) {
			$socket = @stream_socket_client("tcp://127.0.0.1:$this->port");
			if ($socket !== false) {
				fclose($socket);
				return;
			}
			usleep(10_000);
		}
		throw new \RuntimeException('nginx did not start: ' . $this->nginx->words());
	}

	/** @return list<array{protocol: string, connection: string, status: string, type: string}> the requests */
	public function requests(): array
	{
		return array_map(static fn (string $line): array
			=> array_combine(['protocol', 'connection', 'status', 'type'], explode(' ', $line)),
			@file("$this->directory/access.log", FILE_IGNORE_NEW_LINES) ?: []);
	}

	public function remove(): void
	{
		if (getmypid() === $this->owner && is_dir($this->directory)) {
			$this->nginx?->stop();
			Site::remove($this->directory);
		}
	}

	private function config(): string
	{
		$tls = $this->certificate === null ? '' : "ssl_certificate $this->certificate.pem; ssl_certificate_key $this->certificate.key;";
		$listen = $this->certificate === null ? '' : ($this->http2 ? 'ssl http2' : 'ssl');
		$user = posix_geteuid() === 0 ? 'user root;' : '';
		$paths = '';
		foreach (['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'] as $kind) {
			$paths .= "{$kind}_temp_path $this->directory/$kind;\n";
		}
		return <<<END
			$user
			daemon off;
			worker_processes 1;
			pid $this->directory/pid;
			error_log $this->directory/error.log;
			events { worker_connections 256; }
			http {
				log_format opa '\$server_protocol \$connection \$status \$content_type';
				access_log $this->directory/access.log opa;
				keepalive_requests $this->requests;
				client_max_body_size 64m;
				$paths
				server {
					listen 127.0.0.1:$this->port $listen;
					$tls
					location / { proxy_pass http://127.0.0.1:$this->to; }
				}
			}
			END;
	}
}
