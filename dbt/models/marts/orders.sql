{%- set methods = ['credit_card', 'coupon', 'bank_transfer', 'gift_card'] %}

WITH paid AS (
  SELECT
    ORDER_ID,
    {%- for method in methods %}
    SUM(IFF(PAYMENT_METHOD = '{{ method }}', AMOUNT, 0)) AS {{ method | upper }}_AMOUNT,
    {%- endfor %}
    SUM(AMOUNT) AS AMOUNT
  FROM {{ ref('stg_shop__payments') }}
  GROUP BY ORDER_ID
)

SELECT
  o.ORDER_ID,
  o.CUSTOMER_ID,
  o.ORDER_DATE,
  o.STATUS,
  {%- for method in methods %}
  COALESCE(p.{{ method | upper }}_AMOUNT, 0) AS {{ method | upper }}_AMOUNT,
  {%- endfor %}
  COALESCE(p.AMOUNT, 0) AS AMOUNT
FROM {{ ref('stg_shop__orders') }} AS o
LEFT JOIN paid AS p ON o.ORDER_ID = p.ORDER_ID
