<p><?= $e($product['description']) ?>
<p class="price"><?= $money($product['cents']) ?> <small class="quiet"><?= $product['stock'] ?> in stock</small>
<form method="post" action="/cart">
	<input type="hidden" name="product" value="<?= $product['id'] ?>">
	<input type="number" name="quantity" value="1" min="1" max="99">
	<button>Add to cart</button>
</form>
