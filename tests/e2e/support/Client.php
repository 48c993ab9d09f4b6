<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Many requests at once. */
final class Client
{
	private \CurlMultiHandle $multi;
	/** @var list<\CurlHandle> */
	private array $idle = [];
	private int $busy = 0;
	/** @var array<int, array{mixed, array<string, string>}> */
	private array $tasks = [];

	public function __construct(private readonly int $concurrency, private readonly int $timeout = 60)
	{
		$this->multi = curl_multi_init();
		curl_multi_setopt($this->multi, CURLMOPT_MAXCONNECTS, $concurrency * 2);
	}

	/**
	 * Makes the requests, in this order, and calls $done($key, $answer) for each, as they end.
	 * @param iterable<mixed, string|array{string, array<int, mixed>}> $urls key => URL [and options of curl]
	 * @param callable(mixed, Answer): void $done
	 */
	public function run(iterable $urls, callable $done): void
	{
		foreach ($urls as $key => $url) {
			while ($this->busy >= $this->concurrency) {
				$this->step($done);
			}
			$this->add($key, ...(array) $url);
		}
		while ($this->busy > 0) {
			$this->step($done);
		}
	}

	/** One request. */
	public static function get(string $url, array $options = []): Answer
	{
		$answer = null;
		(new self(1))->run([[$url, $options]], static function ($key, Answer $a) use (&$answer): void {
			$answer = $a;
		});
		return $answer;
	}

	/** Bytes to a port and back, for what curl would not send. */
	public static function raw(int $port, string $request): string
	{
		$socket = stream_socket_client("tcp://127.0.0.1:$port", $code, $message, 10);
		stream_set_timeout($socket, 10);
		fwrite($socket, $request);
		return (string) stream_get_contents($socket);
	}

	private function add(mixed $key, string $url, array $options = []): void
	{
		$handle = array_pop($this->idle) ?? curl_init();
		curl_reset($handle);
		$headers = [];
		curl_setopt_array($handle, $options + [CURLOPT_URL => $url, CURLOPT_RETURNTRANSFER => true,
			CURLOPT_TIMEOUT => $this->timeout]);
		curl_setopt($handle, CURLOPT_HEADERFUNCTION, function ($handle, string $line): int {
			$parts = explode(':', $line, 2);
			if (count($parts) === 2) {
				$this->tasks[spl_object_id($handle)][1][strtolower($parts[0])] = trim($parts[1]);
			}
			return strlen($line);
		});
		$this->tasks[spl_object_id($handle)] = [$key, $headers];
		curl_multi_add_handle($this->multi, $handle);
		$this->busy++;
	}

	private function step(callable $done): void
	{
		curl_multi_exec($this->multi, $running);
		$ended = false;
		while (($info = curl_multi_info_read($this->multi)) !== false) {
			$handle = $info['handle'];
			[$key, $headers] = $this->tasks[spl_object_id($handle)];
			unset($this->tasks[spl_object_id($handle)]);
			$answer = new Answer((int) $info['result'], curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $headers,
				(string) curl_multi_getcontent($handle));
			curl_multi_remove_handle($this->multi, $handle);
			$this->idle[] = $handle;
			$this->busy--;
			$ended = true;
			$done($key, $answer);
		}
		if (!$ended && $this->busy > 0) {
			curl_multi_select($this->multi, 1.0);
		}
	}
}
