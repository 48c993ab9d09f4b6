<?php
declare(strict_types=1);

namespace Shop;

/** One method for each route. */
final class Pages
{
	public function __construct(private readonly View $view, private readonly Database $database)
	{
	}

	public function products(): void
	{
		$search = trim((string) ($_GET['q'] ?? ''));
		$products = $this->database->rows(
			'SELECT products',
			"SELECT id, name, cents FROM products WHERE name LIKE ? ESCAPE '\\' ORDER BY name",
			['%' . addcslashes($search, '%_\\') . '%'],
		);
		Trace::tag('search.results', \count($products));
		$values = ['title' => 'Good things', 'products' => $products, 'search' => $search];
		$this->view->show('products', $values);
	}

	public function product(int $id): void
	{
		$sql = 'SELECT * FROM products WHERE id = ?';
		$product = $this->database->row('SELECT products', $sql, [$id]);
		if ($product === null) {
			http_response_code(404);
			$this->message('Not found', 'We do not sell that.');
			return;
		}
		$this->view->show('product', ['title' => $product['name'], 'product' => $product]);
	}

	public function cart(): void
	{
		$items = (new Cart($this->database))->items();
		$values = ['title' => 'Your cart', 'items' => $items, 'total' => Cart::total($items)];
		$this->view->show('cart', $values);
	}

	public function addToCart(): void
	{
		$cart = new Cart($this->database);
		$cart->add((int) ($_POST['product'] ?? 0), (int) ($_POST['quantity'] ?? 1));
		header('Location: /cart', true, 303);
	}

	public function checkout(): void
	{
		$cart = new Cart($this->database);
		$items = $cart->items();
		if ($items === []) {
			header('Location: /cart', true, 303);
			return;
		}
		// This server's own payment endpoint plays the other company's.
		$url = "http://127.0.0.1:{$_SERVER['SERVER_PORT']}/payment";
		$order = (new Checkout($this->database, $url))->buy($items);
		if ($order === null) {
			http_response_code(402);
			$this->message('Declined', 'Your bank does not want you to have this.');
			return;
		}
		$cart->clear();
		$this->message('Thank you', "Your order has the number $order.");
	}

	/** The payment company: declines more than 10,000. */
	public function payment(): void
	{
		$cents = (int) (json_decode((string) file_get_contents('php://input'), true)['cents'] ?? 0);
		$accepted = Trace::span('ask the bank', static function () use ($cents): bool {
			usleep(random_int(15_000, 40_000));
			Trace::tag('payment.cents', $cents);
			return $cents > 0 && $cents <= 1_000_000;
		});
		http_response_code($accepted ? 200 : 402);
		header('Content-Type: application/json');
		$answer = $accepted ? ['payment' => bin2hex(random_bytes(6))] : ['declined' => true];
		echo json_encode($answer);
	}

	/** Slow: asks every supplier, one after the other. */
	public function stock(): void
	{
		foreach (['Northern Oak', 'Blanket & Sons', 'Mugs Unlimited'] as $i => $supplier) {
			Trace::span('ask supplier', static function () use ($i): void {
				usleep(80_000 + 120_000 * $i);
				Trace::event('answered', ['attempt' => 1]);
			}, ['supplier' => $supplier]);
		}
		$this->message('Stock', 'All suppliers have been asked.');
	}

	/** Throws, and nobody catches it. */
	public function invoice(int $id): void
	{
		try {
			throw new \DomainException("order $id has no address");
		} catch (\DomainException $e) {
			throw new \RuntimeException('the invoice cannot be printed', 7, $e);
		}
	}

	/** Fails fatally: holds all sales since the beginning in memory. */
	public function report(): void
	{
		ini_set('memory_limit', '16M');
		$sales = [];
		Trace::span('collect sales', static function () use (&$sales): void {
			while (true) {
				$sales[] = str_repeat('sale ', 20_000);
			}
		});
	}

	private function message(string $title, string $text): void
	{
		$this->view->show('message', ['title' => $title, 'text' => $text]);
	}
}
