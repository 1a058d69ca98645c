/// The product of two matrices of three by three, row by row.
pub(super) fn product(a: &[f64; 9], b: &[f64; 9]) -> [f64; 9] {
    std::array::from_fn(|at| {
        let (row, column) = (at / 3 * 3, at % 3);
        a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6]
    })
}

/// The inverse; none if there is none that numbers can hold.
pub(super) fn inverse(m: &[f64; 9]) -> Option<[f64; 9]> {
    let [a, b, c, d, e, f, g, h, i] = *m;
    let determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
    let inverse = [
        e * i - f * h,
        c * h - b * i,
        b * f - c * e,
        f * g - d * i,
        a * i - c * g,
        c * d - a * f,
        d * h - e * g,
        b * g - a * h,
        a * e - b * d,
    ]
    .map(|x| x / determinant);
    inverse.iter().all(|x| x.is_finite()).then_some(inverse)
}

/// The inverse of an affine map; none if there is none that numbers can hold. In the order of operations of OpenCV's
/// `invertAffineTransform`, so that places round as its do.
pub(super) fn inverse_affine(&[a, b, c, d, e, f]: &[f64; 6]) -> Option<[f64; 6]> {
    let determinant = 1.0 / (a * e - b * d);
    let (ia, ib, id, ie) = (e * determinant, -b * determinant, -d * determinant, a * determinant);
    let inverse = [ia, ib, -ia * c - ib * f, id, ie, -id * c - ie * f];
    inverse.iter().all(|x| x.is_finite()).then_some(inverse)
}

/// The projective map that takes four points to four others; none if three of them are in a line.
pub(super) fn through(from: &[[f64; 2]; 4], to: &[[f64; 2]; 4]) -> Option<[f64; 9]> {
    // For each point two equations in the first eight numbers of the matrix, whose last is 1.
    let mut rows = [[0.0; 9]; 8];
    for (point, ([x, y], [u, v])) in from.iter().zip(to).enumerate() {
        rows[point] = [*x, *y, 1.0, 0.0, 0.0, 0.0, -x * u, -y * u, *u];
        rows[point + 4] = [0.0, 0.0, 0.0, *x, *y, 1.0, -x * v, -y * v, *v];
    }
    let solution = solved(rows)?;
    let mut matrix = [1.0; 9];
    matrix[..8].copy_from_slice(&solution);
    Some(matrix)
}

/// Gauss' elimination with the largest number of each column first; the last column is the right side.
fn solved(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for step in 0..8 {
        let largest = (step..8).max_by(|a, b| rows[*a][step].abs().total_cmp(&rows[*b][step].abs()))?;
        rows.swap(step, largest);
        let pivot = rows[step];
        if pivot[step] == 0.0 {
            return None;
        }
        for row in &mut rows[step + 1..] {
            let factor = row[step] / pivot[step];
            row.iter_mut().zip(&pivot).skip(step).for_each(|(x, pivot)| *x -= factor * pivot);
        }
    }
    let mut solution = [0.0; 8];
    for step in (0..8).rev() {
        let known: f64 = (step + 1..8).map(|column| rows[step][column] * solution[column]).sum();
        solution[step] = (rows[step][8] - known) / rows[step][step];
    }
    solution.iter().all(|x| x.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_takes_its_four_points_to_where_they_shall_go_and_its_inverse_back() {
        let from = [[3.0, 1.0], [20.0, 2.0], [22.0, 17.0], [1.0, 15.0]];
        let to = [[0.0, 0.0], [24.0, 0.0], [24.0, 18.0], [0.0, 18.0]];
        let matrix = through(&from, &to).expect("no three points in a line");
        let inverse = inverse(&matrix).expect("it has one");
        let go = |m: &[f64; 9], [x, y]: [f64; 2]| {
            let w = m[6] * x + m[7] * y + m[8];
            [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w]
        };
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9;
        for (from, to) in from.into_iter().zip(to) {
            assert!(near(go(&matrix, from), to) && near(go(&inverse, to), from), "{from:?}");
        }
        let identity = product(&matrix, &inverse);
        assert!(identity.iter().zip([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn what_has_no_inverse_has_none() {
        assert_eq!(through(&[[0.0; 2]; 4], &[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]), None);
        assert_eq!(inverse(&[0.0; 9]), None);
        assert_eq!(inverse_affine(&[1.0, 1.0, 0.0, 1.0, 1.0, 0.0]), None);
        assert_eq!(inverse_affine(&[f64::NAN; 6]), None);
    }
}
