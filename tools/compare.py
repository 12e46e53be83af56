"""Train with and without a transformer, store the table in the package, print it: make table

Three seeds of each of nine; about 12 minutes on 2 cores.
"""

from tqdm import tqdm

from stn_course import comparison


def main() -> None:
    runs = len(comparison.BUDGETS) * len(comparison.NETWORKS) * len(comparison.SEEDS)
    with tqdm(total=runs, unit="run") as bar:
        found = comparison.compare(done=bar.update)
    comparison.save_comparison(found)
    print(comparison.to_markdown(found))


if __name__ == "__main__":
    main()
