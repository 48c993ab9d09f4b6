<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What every command works with. */
final class Context
{
	public readonly Clock $clock;
	private string $lastNote = '';

	public function __construct(
		public readonly Output $out,
		public readonly Output $err,
		public readonly Environment $env,
		public readonly Sources $sources,
	) {
		$this->clock = new Clock($env->timeZone());
	}

	/** A remark beside the output: one dim line on stderr, once for as long as nothing else is said. */
	public function note(string $text): void
	{
		if ($text === $this->lastNote) {
			return;
		}
		$this->lastNote = $text;
		$this->out->flush();
		$this->err->line($this->err->paint('dim', 'opa: ' . Text::safe($text)));
		$this->err->flush();
	}

	/** The store to read, after what waits in the journals has been brought in. */
	public function store(): Store
	{
		return $this->sources->store($this);
	}
}
