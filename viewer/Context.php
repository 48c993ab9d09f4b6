<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What every command works with. */
final class Context
{
	private string $lastNote = '';

	public function __construct(
		public readonly Output $out,
		public readonly Output $err,
		public readonly Environment $env,
		public readonly Sources $sources,
		public readonly Clock $clock,
	) {
	}

	/** A remark beside the output: one dim line on stderr, once for as long as nothing else is said. */
	public function note(string $text): void
	{
		if ($text === $this->lastNote) {
			return;
		}
		$this->lastNote = $text;
		$to = $this->out->isPaged() && $this->err->terminal ? $this->out : $this->err;
		$this->out->flush();
		$to->line($to->paint('dim', 'opa: ' . Text::safe($text)));
		$to->flush();
	}

	/** The store to read, after what waits in the journals has been brought in. */
	public function store(): Store
	{
		if ($this->env->hasUnknownZone()) {
			$this->note('the zone TZ=' . $this->env->get('TZ') . ' is not known; times are in '
				. $this->env->timeZone()->getName());
		}
		return $this->sources->store($this);
	}
}
